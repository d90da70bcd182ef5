// The conversation: header, transcript (or the first-run page), composer and meter.
// qmllint disable unqualified
import QtQuick
import Paluku
import PalukuApp

FocusScope {
    id: page

    required property AppController app
    property bool sidebarAway: false
    signal sidebarWanted()
    signal modelsWanted()
    signal addWanted()
    readonly property alias transcript: transcript
    readonly property alias composer: composer

    function focusComposer(): void {
        composer.forceActiveFocus(Qt.ShortcutFocusReason);
    }

    Columns {
        id: columns

        width: page.width
    }
    PageHeader {
        id: header

        width: page.width
        title: page.app.chat.title
        sidebarAway: page.sidebarAway
        onSidebarWanted: page.sidebarWanted()
    }
    Banner {
        id: banner

        y: header.height
        width: page.width
        height: active ? implicitHeight : 0
        notices: page.app.notices
    }
    Transcript {
        id: transcript

        anchors.top: banner.bottom
        anchors.bottom: composer.top
        width: page.width
        visible: !page.app.firstRun
        app: page.app
    }
    Loader {
        x: composer.x
        y: transcript.y
        width: composer.width
        height: transcript.height
        active: page.app.firstRun
        sourceComponent: FirstRun {
            onAddWanted: page.addWanted()
        }
    }
    // Text fades out over the composer instead of being cut by it.
    Rectangle {
        anchors.bottom: transcript.bottom
        anchors.right: parent.right
        anchors.rightMargin: Theme.scrollBar
        width: page.width - Theme.scrollBar
        height: Theme.s16
        gradient: Gradient {
            GradientStop { position: 0; color: Qt.alpha(Theme.page, 0) }
            GradientStop { position: 1; color: Theme.page }
        }
    }
    JumpPill {
        id: pill

        anchors.horizontalCenter: composer.horizontalCenter
        anchors.bottom: composer.top
        anchors.bottomMargin: Theme.s8
        visible: !transcript.following && !page.app.firstRun && page.app.chat.transcript.count > 0
        news: page.app.chat.busy
        onClicked: {
            transcript.toEnd();
            page.focusComposer();
        }
    }
    Toast {
        anchors.horizontalCenter: composer.horizontalCenter
        anchors.bottom: pill.visible ? pill.top : composer.top
        anchors.bottomMargin: Theme.s8
        notices: page.app.notices
    }
    Composer {
        id: composer

        x: columns.textLeft - columns.overhang
        width: columns.measure + 2 * columns.overhang
        anchors.bottom: line.top
        focus: true
        app: page.app
        mostHeight: page.height < Theme.lowWindow ? Theme.body.line : page.height * Theme.composerShare
        onModelsWanted: page.modelsWanted()
        onAddWanted: page.addWanted()
    }
    MeterLine {
        id: line

        x: columns.textLeft - (columns.narrow ? 0 : Theme.s4)
        width: columns.measure + (columns.narrow ? 0 : Theme.s8)
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.s4
        chat: page.app.chat
        narrow: columns.measure < Theme.meterFrom
    }
}
